"""albumentations: images, volumes and the frames of videos."""
