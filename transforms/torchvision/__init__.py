"""torchvision.transforms.v2: images."""
