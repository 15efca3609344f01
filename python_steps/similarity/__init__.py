"""Match papers to patents, audit the matches, and calibrate confidence."""
