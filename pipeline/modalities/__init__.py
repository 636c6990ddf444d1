"""What is particular to images, audio, text, video and volumes: codecs, labels, similarity."""
