#!/usr/bin/env bash
# Looks at the machine code of the microkernels: does the compiler still make the loops that the source means?
#
#   swift build && Tests/Scripts/check-tiles.sh [folder of Compute's object files]
#
# Each size of each microkernel is a function of its own (Sources/Compute/Tiles). Its name says how many rows it has
# and what it accumulates, so how many arithmetic instructions one pass of its inner loop must have. The script finds
# that loop and demands that
#   - it has that number of them (or a multiple, where the compiler has unrolled it): a loop over the rows that was not
#     unrolled has fewer;
#   - no vector is loaded from the stack or stored to it: the accumulators stay in registers;
#   - nothing is called.
# Nor may it store its results by calls, one for each vector: a call takes a vector in four parts, and the others have to
# wait on the stack.
# The passes over channels (sums and normalisation) must not take vectors apart: a call that takes or returns a vector
# by value makes the compiler keep it, and all vectors of the loops around it, in parts of four lanes.
# Sizes that the instruction set does not use (see InstructionSet.swift) are left out; the portable build has vectors
# of two registers, which never fit, and is not looked at.
set -euo pipefail
cd "$(dirname "$0")/../.."
objects=${1:-.build/debug/Compute.build}
if ! command -v objdump >/dev/null; then
  echo "check-tiles: no objdump here, nothing checked"
  exit 0
fi
if ! compgen -G "$objects/*.o" >/dev/null; then
  echo "check-tiles: no object files in $objects: build first" >&2
  exit 1
fi
code=$(mktemp)
trap 'rm -f "$code"' EXIT
objdump -dr --no-show-raw-insn "$objects"/*.o | swift demangle >"$code"
if grep -q '%zmm' "$code"; then registers=32; elif grep -q 'vfmadd' "$code"; then registers=16; else
  echo "check-tiles: a portable build, nothing checked"
  exit 0
fi

awk -v registers="$registers" '
  # How often a pattern occurs in a text.
  function occurrences(text, pattern) { return gsub(pattern, "", text) }

  # Sets what the function is, and what its loop must have; false where it is not looked at.
  function expectation(name,    vectors, fits) {
    family = name
    sub(/.* of static Compute\./, "", family)
    sub(/\.run\(.*/, "", family)
    vectors = name ~ /TwoVectors/ ? 2 : 1
    main = "vfmadd"
    fits = registers == 32
    if (family == "Tile") {
      rows = occurrences(name, "Compute.PixelRow<")
      count = rows * vectors
      step = name
      sub(/.*PixelRow<Compute\.(One|Two)Vectors?, Compute\./, "", step)
      sub(/>.*/, "", step)
      if (step == "DistanceStep") { main = "vsubps"; count *= 2 }
      if (step == "LargestSumStep") main = "vmaxps"
      what = family " " rows " x " vectors " " step (name ~ /AnyStride/ ? ", strided" : "")
      # Differences and maxima need one register more than 16 can spare beside 6 x 2 sums.
      fits = fits || rows <= 6 && (step == "ProductStep" || vectors == 1)
    } else if (family == "WeightTile") {
      rows = occurrences(name, "Compute.ChannelRow<")
      count = rows * vectors
      what = family " " rows " x " vectors
      fits = fits || rows <= 4
    } else if (family == "ComplexTile") {
      rows = occurrences(name, "Compute.ComplexRow")
      count = 4 * rows
      what = family " " rows
      fits = fits || rows <= 4
    } else if (family == "SlidingTile") {
      rows = occurrences(name, "Compute.SlidingPixel")
      count = 3 * rows
      what = family " " rows
      fits = fits || rows <= 8
    } else if (family == "SlidingWeightTile") {
      rows = occurrences(name, "Compute.ChannelTaps")
      count = 3 * rows
      what = family " " rows
      # Four channels have 12 sums, with three gradients and one value: one register too many.
      fits = fits || rows <= 1
    } else if (family == "DepthwiseTile") {
      rows = count = occurrences(name, "Compute.DepthwisePixel")
      what = family " " rows
      fits = 1
    } else if (family == "DepthwiseTileOfThree") {
      rows = occurrences(name, "Compute.DepthwisePixelOfThree")
      count = 3 * rows
      what = family " " rows
      fits = 1
    } else if (family == "SpreadTile") {
      rows = occurrences(name, "Compute.SpreadRow<")
      count = rows * (name ~ /Fours/ ? 4 : 8)
      what = family " " rows (name ~ /Fours/ ? " by four" : " by eight")
    } else if (family == "ClampedTile") {
      rows = count = occurrences(name, "Compute.ClampedRow<")
      what = family " " rows
      # Four rows have four sums, four values of x and two limits, and clamping needs some more: one register too many.
      fits = fits || rows <= 2
    } else {
      return 0
    }
    return fits
  }

  # Looks at the function that has just ended.
  function check(    i, j, n, first, last, innermost, arithmetic, stack, calls, found) {
    if (lines == 0 || !expectation(name)) return
    n = 0
    for (i = 1; i <= lines; i++)
      if (instruction[i] ~ /^j/) {
        split(instruction[i], word)
        if (word[2] in place && place[word[2]] <= i) { n++; first[n] = place[word[2]]; last[n] = i }
      }
    if (stores > 0) {
      printf "%s: stores %d vectors by calls\n", what, stores
      failures++
    }
    found = 0
    for (i = 1; i <= n; i++) {
      innermost = 1
      for (j = 1; j <= n; j++)
        if (j != i && first[i] <= first[j] && last[j] <= last[i]) innermost = 0
      if (!innermost) continue
      arithmetic = stack = calls = 0
      for (j = first[i]; j <= last[i]; j++) {
        if (instruction[j] ~ "^" main) arithmetic++
        # A broadcast reads one float: of x, whose pointer may be in any register.
        if (instruction[j] ~ /\(%rsp|\(%rbp/ && instruction[j] ~ /%[yz]mm/ && instruction[j] !~ /^vbroadcast|1to/)
          stack += instruction[j] ~ /%rsp/ || framed
        if (instruction[j] ~ /^call/) calls++
      }
      if (arithmetic == 0 || arithmetic % count != 0) continue
      found = 1
      if (stack + calls > 0) {
        printf "%s: %d vectors pass over the stack, %d calls\n", what, stack, calls
        failures++
      }
    }
    if (!found) {
      printf "%s: no inner loop has %d %s: it is not unrolled\n", what, count, main
      failures++
    }
    seen[family]++
    checked++
  }

  /^[0-9a-f]+ <.*>:$/ {
    check()
    name = $0
    isPass = name ~ /generic specialization <.*> of (static )?Compute\.(\(sumBlocks in|NormalizationPasses\.\(apply in)/
    passes += isPass
    lines = framed = stores = 0
    split("", place)
    next
  }
  # What is called.
  /R_[A-Z0-9_]+\t/ {
    if (/\.store\(/) stores++
    next
  }
  /^ *[0-9a-f]+:/ {
    if (isPass && /vinsert[fi]/) {
      printf "a vector is put together from parts in %s\n", name
      failures++
      isPass = 0
    }
    if (name !~ /generic specialization .* of static Compute\.[A-Za-z]*Tile(OfThree)?\.run\(/) next
    address = $1
    sub(/:/, "", address)
    sub(/^ *[0-9a-f]+:[ \t]*/, "")
    place[address] = ++lines
    instruction[lines] = $0
    if ($0 ~ /^mov +%rsp,%rbp/) framed = 1
  }
  END {
    check()
    split("Tile WeightTile ComplexTile SlidingTile SlidingWeightTile DepthwiseTile DepthwiseTileOfThree ClampedTile" (registers == 32 ? " SpreadTile" : ""), all)
    for (i in all) if (!(all[i] in seen)) { print "no " all[i] " was found"; failures++ }
    if (passes < 8) { print "the passes over channels were not found"; failures++ }
    printf "check-tiles: %d microkernels, %d passes, %d vector registers, %d faults\n", checked, passes, registers,
      failures
    exit failures > 0
  }
' "$code"
