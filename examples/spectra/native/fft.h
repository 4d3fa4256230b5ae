/* A discrete Fourier transform of real samples. */
#ifndef SPECTRA_FFT_H
#define SPECTRA_FFT_H

#include <stddef.h>

/* Whether `fft_power` takes this many samples: a power of two from 2 on. */
int fft_is_size(size_t count);

/*
 * Writes the power of the frequencies 0 ... count/2 into `power` (count/2 + 1 values), for samples
 * seen through a Hann window. A sine of amplitude 1 in the middle of a bin has a power of 1.
 * `scratch` holds 2 * count values.
 */
void fft_power(const double *samples, size_t count, double *scratch, double *power);

#endif
