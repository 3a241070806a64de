/// Asks the processor to fetch the line at an address, which may be anywhere: Swift has no word for it.
static inline __attribute__((always_inline)) void workbench_prefetch(const void *address) {
  __builtin_prefetch(address, 0, 2);
}

/// The same for a line that is needed soon: it goes to the first-level cache.
static inline __attribute__((always_inline)) void workbench_prefetch_close(const void *address) {
  __builtin_prefetch(address, 0, 3);
}

/// Tells the processor that this thread is waiting for another one: Swift has no word for that either.
static inline __attribute__((always_inline)) void workbench_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Swift has no word for a permutation of lanes.
typedef float workbench_floats8 __attribute__((ext_vector_type(8)));
typedef float workbench_floats16 __attribute__((ext_vector_type(16)));

/// Four lanes of lane `a`, four of lane `b`, and so on.
#define WORKBENCH_FOURS(a, b) a, a, a, a, b, b, b, b
#define WORKBENCH_EIGHT(a) WORKBENCH_FOURS(a, a)

/// Fills each four lanes with the one of them that has the number `lane`.
static inline __attribute__((always_inline)) workbench_floats8 workbench_spread_fours_8(
    workbench_floats8 x, long lane) {
  switch (lane) {
  case 0: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(0, 4));
  case 1: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(1, 5));
  case 2: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(2, 6));
  default: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(3, 7));
  }
}

#if defined(__AVX512F__)
static inline __attribute__((always_inline)) workbench_floats16 workbench_spread_fours_16(
    workbench_floats16 x, long lane) {
  switch (lane) {
  case 0: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(0, 4), WORKBENCH_FOURS(8, 12));
  case 1: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(1, 5), WORKBENCH_FOURS(9, 13));
  case 2: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(2, 6), WORKBENCH_FOURS(10, 14));
  default: return __builtin_shufflevector(x, x, WORKBENCH_FOURS(3, 7), WORKBENCH_FOURS(11, 15));
  }
}

/// Fills each eight lanes with the one of them that has the number `lane`.
static inline __attribute__((always_inline)) workbench_floats16 workbench_spread_eights_16(
    workbench_floats16 x, long lane) {
  switch (lane) {
  case 0: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(0), WORKBENCH_EIGHT(8));
  case 1: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(1), WORKBENCH_EIGHT(9));
  case 2: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(2), WORKBENCH_EIGHT(10));
  case 3: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(3), WORKBENCH_EIGHT(11));
  case 4: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(4), WORKBENCH_EIGHT(12));
  case 5: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(5), WORKBENCH_EIGHT(13));
  case 6: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(6), WORKBENCH_EIGHT(14));
  default: return __builtin_shufflevector(x, x, WORKBENCH_EIGHT(7), WORKBENCH_EIGHT(15));
  }
}
#endif
