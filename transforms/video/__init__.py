"""Operations on the time and geometry of videos, and vidaug's by its names."""
