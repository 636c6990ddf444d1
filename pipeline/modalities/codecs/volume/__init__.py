"""Volume files and (depth, height, width, channels) voxels."""
