#!/bin/sh
# Prints the C file that embeds the Lua files named as arguments, byte for byte, by the assembler's .incbin.
# lua/resque/json.lua becomes "resque.json"; lua/server/lib/record.lua becomes "server.lib.record".
set -eu
echo '#include "base/embedded.h"'
n=0
for file in "$@"; do
    n=$((n + 1))
    printf '__asm__(".section .rodata\\n.global rl_embedded_%d, rl_embedded_%d_end\\n"\n' $n $n
    printf '        ".hidden rl_embedded_%d, rl_embedded_%d_end\\n"\n' $n $n
    printf '        "rl_embedded_%d:\\n.incbin \\"%s\\"\\n"\n' $n "$file"
    printf '        "rl_embedded_%d_end:\\n.byte 0\\n.previous");\n' $n
    printf 'extern const char rl_embedded_%d[], rl_embedded_%d_end[];\n' $n $n
done
echo 'const struct embedded embedded_files[] = {'
n=0
for file in "$@"; do
    n=$((n + 1))
    module=$(printf %s "${file#lua/}" | sed 's/\.lua$//; s,/,.,g')
    printf '    {"%s", "%s", rl_embedded_%d, rl_embedded_%d_end},\n' "$module" "$file" $n $n
done
echo '    {0, 0, 0, 0},'
echo '};'
