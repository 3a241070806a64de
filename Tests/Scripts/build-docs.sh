#!/usr/bin/env bash
# Makes the library's documentation with the toolchain's DocC; warnings are errors.
#
#   swift build && Tests/Scripts/build-docs.sh [folder, default .build/docs]
#
# Any web server can serve the folder's parts, such as Kernels: python3 -m http.server -d .build/docs/Kernels
set -euo pipefail
cd "$(dirname "$0")/../.."
output=${1:-.build/docs}
symbols=$(mktemp -d)
trap 'rm -rf "$symbols"' EXIT
target=$(swift -print-target-info | sed -n 's/.*"unversionedTriple": "\(.*\)",*/\1/p' | head -1)
for module in Layers Kernels; do
  mkdir -p "$symbols/$module" "$output"
  swift symbolgraph-extract -module-name "$module" -target "$target" -minimum-access-level public \
    -skip-synthesized-members -I .build/debug/Modules -I Sources/CFFTW -I Sources/CHints \
    -output-dir "$symbols/$module"
  docc convert "Sources/$module/$module.docc" --additional-symbol-graph-dir "$symbols/$module" \
    --fallback-bundle-identifier "$module" --fallback-display-name "$module" --warnings-as-errors \
    --output-path "$output/$module"
done
echo "documentation: $output"
