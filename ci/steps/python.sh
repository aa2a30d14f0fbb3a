# shellcheck shell=bash disable=SC2154
# Builds the Python wheel, runs three lines with it where nothing else is installed, and tests it.

run ci/install python3 python3-venv
run cargo fmt --manifest-path python/Cargo.toml --check

# Answers of the oracle, which the tests compare with.
run cargo build --locked --quiet --package dragnet-testkit --example oracle_answers
"$target/debug/examples/oracle_answers" 1 150 > "$scratch/oracle-answers"

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_QUIET=1
python3 -m venv "$scratch/build"
run "$scratch/build/bin/pip" install 'maturin>=1.9,<2'
# maturin fails if the wheel links a library that its platform tag does not allow.
run "$scratch/build/bin/maturin" build --release --locked --manifest-path python/Cargo.toml \
    --out "$scratch/wheels"

python3 -m venv "$scratch/fresh"
run "$scratch/fresh/bin/pip" install "$scratch"/wheels/*.whl
"$scratch/fresh/bin/python" > "$scratch/printed" << 'END'
from dragnet_scan import PatternSet
rules = PatternSet([r"user=\w+", r"\d+ ms"])
print([m.group() for m in rules.finditer("user=zoë: 30 ms")], rules.matches_many(["5 ms"]).to_list())
END
echo "['user=zoë', '30 ms'] [[1]]" | run diff - "$scratch/printed"

run "$scratch/fresh/bin/pip" install --requirement python/requirements-test.txt
# The scripts, since `python -m` would find this folder's sources, which have no extension module.
export PATH=$scratch/fresh/bin:$PATH HYPOTHESIS_STORAGE_DIRECTORY=$scratch/hypothesis
cd python || exit
DRAGNET_ORACLE_ANSWERS=$scratch/oracle-answers \
    tests pytest --quiet -p no:cacheprovider --doctest-glob=README.md tests README.md
run mypy --cache-dir "$scratch/mypy" tests
run stubtest --mypy-config-file pyproject.toml dragnet_scan
