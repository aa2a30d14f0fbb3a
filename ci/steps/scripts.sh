# shellcheck shell=bash disable=SC2154
# Checks the shell scripts, the workflows' pins and the benchmarks' scripts.

run ci/install shellcheck python3
mapfile -t scripts < <(git ls-files --cached --others --exclude-standard -- .ci ci ':!*.md')
[ ${#scripts[@]} -gt 20 ] || die "only ${#scripts[@]} scripts were found"
# SC2015: `a && b || c` stands here only where c may also run when b fails.
# SC2016: single quotes keep `$` and backquotes for other programs.
run shellcheck --external-sources --exclude SC2015,SC2016 "${scripts[@]}"

for script in ci/* ci/steps/*; do
    [ -f "$script" ] || continue
    name=${script#ci/}
    [ "$name" = README.md ] || grep -qF -- "\`$name\`" ci/README.md ||
        die "ci/README.md does not list $name"
done

# A tag can be moved to other code; a commit can't.
unpinned=$(grep -hE '^ *(- )?uses:' .github/workflows/*.yml |
    grep -vE 'uses: [a-z/-]+@[0-9a-f]{40} # v[0-9.]+$' || :)
[ -z "$unpinned" ] || die "actions that are not pinned to a commit: $unpinned"

run python3 -m unittest discover -s benches -p '*_test.py'
