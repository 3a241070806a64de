/// Asks the processor to fetch the line at an address, which may be anywhere: Swift has no word for it.
static inline __attribute__((always_inline)) void workbench_prefetch(const void *address) {
  __builtin_prefetch(address, 0, 2);
}
