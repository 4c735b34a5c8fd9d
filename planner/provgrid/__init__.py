"""Plan computing power the way a grid operator plans electricity."""
