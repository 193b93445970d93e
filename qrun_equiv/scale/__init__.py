"""Fast evaluation of verified layers: the same functions, at the cost of ``nn.Linear``."""
