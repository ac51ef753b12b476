#!/bin/sh
# SPDX-License-Identifier: AGPL-3.0-or-later
# docs/stories.md is what the stories tell.
cd "$(dirname "$0")/../.." || exit 1
echo "1..1"
if tools/stories | diff docs/stories.md - > /dev/null; then echo "ok 1 - docs/stories.md is what the stories tell"; else
    echo "not ok 1 - docs/stories.md is what the stories tell"
    echo "# tools/stories > docs/stories.md"
    exit 1
fi
