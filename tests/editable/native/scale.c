#include "scale.h"

int scale(int value) { return value * FACTOR; }
