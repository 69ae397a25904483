#!/usr/bin/env bash
# Builds the fuzz targets from $SRC/watchmux into $OUT, with the sanitizer $SANITIZER, as OSS-Fuzz and ClusterFuzzLite ask.
# `canary` is left out, for it is there to crash, and `any`, for it is told by its environment what to run.
set -euo pipefail
cd "$SRC/watchmux"

case "${SANITIZER:-address}" in
    address | memory | thread | leak) sanitizer=$SANITIZER ;;
    # Coverage builds bring flags of their own.
    *) sanitizer=none ;;
esac
built=${CARGO_TARGET_DIR:-fuzz/target}/$(rustc -vV | sed -n 's/^host: //p')/release

for target in mux threads text; do
    cargo fuzz build -O --sanitizer "$sanitizer" "$target"
    cp "$built/$target" "$OUT/"
    rm -f "$OUT/${target}_seed_corpus.zip"
    (cd fuzz/seeds && zip -q -X -r -j "$OUT/${target}_seed_corpus.zip" "$target")
    cp .clusterfuzzlite/targets.options "$OUT/$target.options"
done
zip -q -X -j "$OUT/text_seed_corpus.zip" tests/corpus/*.script
cp .clusterfuzzlite/text.dict "$OUT/"
