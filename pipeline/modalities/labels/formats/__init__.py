"""How columns write labels: boxes, masks, run lengths, polygons, tags, answers."""
