"""What each engine needs beside Beam's own runner: one file per engine, none of which imports Beam."""
