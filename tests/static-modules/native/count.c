/* Two modules have one of these each. */
int counter = 0;
int tentative;

int count(void)
{
    tentative += 1;
    counter += STEP;
    return counter;
}
