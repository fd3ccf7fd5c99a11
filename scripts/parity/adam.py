"""Prints the weights that PyTorch's Adam arrives at, for the test in crates/train/src/training/backbone/adam.rs."""

import torch

weights = torch.tensor([1.0, -2.0, 0.5], requires_grad=True)
optimiser = torch.optim.Adam([weights], lr=0.1, eps=1e-8)
for gradient in [[0.3, -1.0, 0.0], [-0.2, 4.0, 1e-3], [0.7, 0.5, -2.0]]:
    weights.grad = torch.tensor(gradient)
    optimiser.step()
print([round(weight, 6) for weight in weights.tolist()])
