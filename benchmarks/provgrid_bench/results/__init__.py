"""The measured tables, what fills them, and the page that is made from them."""
