/* The iterative radix-2 transform: bit-reversed order first, then butterflies of growing width. */
#include "fft.h"

#include <math.h>

static const double tau = 6.283185307179586476925286766559;

int fft_is_size(size_t count)
{
    return count >= 2 && (count & (count - 1)) == 0;
}

static size_t reversed(size_t index, size_t count)
{
    size_t result = 0;
    for (size_t bit = 1; bit < count; bit <<= 1) {
        result = result << 1 | (index & 1);
        index >>= 1;
    }
    return result;
}

static void transform(double *re, double *im, size_t count)
{
    for (size_t width = 2; width <= count; width <<= 1) {
        const size_t half = width / 2;
        for (size_t k = 0; k < half; k++) {
            const double angle = -tau * (double)k / (double)width;
            const double wr = cos(angle), wi = sin(angle);
            for (size_t a = k; a < count; a += width) {
                const size_t b = a + half;
                const double tr = wr * re[b] - wi * im[b];
                const double ti = wr * im[b] + wi * re[b];
                re[b] = re[a] - tr;
                im[b] = im[a] - ti;
                re[a] += tr;
                im[a] += ti;
            }
        }
    }
}

void fft_power(const double *samples, size_t count, double *scratch, double *power)
{
    double *re = scratch, *im = scratch + count;
    for (size_t i = 0; i < count; i++) {
        const double window = 0.5 - 0.5 * cos(tau * (double)i / (double)count);
        const size_t at = reversed(i, count);
        re[at] = window * samples[i];
        im[at] = 0;
    }
    transform(re, im, count);
    /* The window halves amplitudes, and each half of the spectrum has half of the rest. */
    const double scale = 4.0 / (double)count;
    for (size_t i = 0; i <= count / 2; i++) {
        const double amplitude = scale * hypot(re[i], im[i]);
        power[i] = amplitude * amplitude;
    }
}
