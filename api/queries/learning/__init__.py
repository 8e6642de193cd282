"""What is read of learning: trainings and models, the signal graph, and the advisor."""
