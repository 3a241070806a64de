#include <fftw3.h>

/// The version of the library; a function, since the variable itself is no constant to Swift.
static inline const char *fftwVersionText(void) { return fftwf_version; }
