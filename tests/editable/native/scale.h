#define FACTOR 10

int scale(int value);
