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
