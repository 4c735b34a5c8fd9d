"""The engines; `solve.ENGINES` names them, each is imported when it is asked for."""
