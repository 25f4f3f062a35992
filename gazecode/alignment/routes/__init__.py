"""How a weight comes to the loss: the routes by name, and how words of an answer are matched."""
