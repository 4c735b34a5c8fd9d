"""The relaxation at scale: columns that prices let matter, solved exactly, priced again until none is missing."""
