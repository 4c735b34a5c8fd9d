"""The answers drawn from plans: what an option is worth, and who pays what for whom."""
