"""Where did the RSS go? Small programs that hold memory, each in a way of its own and each of a known size."""
