"""Fields that belong together and draw together: two views of one scene, noisy and clean sound, colour and depth."""
