"""Claims of documents as declared experiments: plans, kept ones, intervals, verdicts, and the page of them."""
