/** Names that are not UTF-8, from the shell's words to what each command does with them. */
import { compare } from './oracle.ts';

/** A script in single quotes that has none inside. */
const sh = (script: string) => `sh -c '${script}'`;

compare(
  'names of any bytes',
  (tree) => {
    tree.dir('d');
    tree.dir('other');
  },
  [
    sh(
      'cd d; echo one >"$(printf "a\\351b")"; echo two >"$(printf "a\\300\\200")"; mkdir "$(printf "dir\\377")"',
    ),
    sh('cd d; : >"$(printf "dir\\377/in\\376side")"; ln -s "$(printf "a\\351b")" "$(printf "link\\200")"'),
    'ls d',
    'ls -b d',
    'ls -Q d',
    'ls -q d',
    sh('cd d; ls -l * | wc -l'),
    sh('cd d; LC_ALL=C; for f in *; do printf "%s\\n" "$f"; done | od -c'),
    sh('cd d; echo a?b a[!x]b'),
    sh('cd d; cat a?b link*; wc -c <a?b; cat <"$(echo a?b)"'),
    sh('cd d; for f in a*; do echo "<$f>" $# >>log; done; grep -c a log; rm log'),
    sh('cd d; test -e a?b && test -L link* && [ -d dir* ] && echo all there'),
    sh('cd d/dir*; pwd; echo *; ls'),
    sh('find d | LC_ALL=C sort'),
    'find d -name "a*e" -print0',
    sh('find d/dir* -type f -ls | sed "s/.*d.dir/dir/"'),
    'find d -name "in*" -exec echo {} ;',
    sh('find d -type f | sort | xargs cat'),
    sh('find d -type f | sort | while read -r f; do cat "$f"; done'),
    sh('find d -type f -print0 | sort -z | xargs -0 -n 1 echo'),
    sh('find d -type f | sort | xargs stat -c "%n %s %N"'),
    sh('cp d/a?b other; cp -a d/dir* other; cp -r d copy; ls other copy'),
    sh('mv other/a?b "other/$(printf "moved\\374")"; ls other'),
    sh('cd other; ln moved* "$(printf "hard\\200")"; readlink -f moved*; realpath hard*'),
    sh('touch "other/$(printf "t\\200")"; chmod 600 other/t*; stat -c "%n %a" other/t*'),
    sh('cat "$(printf "no\\200ne")"'),
    sh('rm "$(printf "no\\200ne")"'),
    sh('ls "$(printf "no\\200ne")"'),
    sh(
      'tar -cf archive.tar d; tar -tf archive.tar | sort; mkdir out; tar -xf archive.tar -C out; ls out/d; cat out/d/a?b out/d/link*',
    ),
    sh('tar -xf archive.tar -C out "$(printf "d/a\\351b")"; basename out/d/a?b; dirname out/d/dir*/in*'),
    sh('sha256sum d/a* | sha256sum -c'),
    sh('du -a d | wc -l; env X="$(printf "\\351")" sh -c "printf \\"%s\\" \\"\\$X\\"" | od -c'),
    sh('x=$(printf "\\351"); echo "$x" | tee "d/$x" | od -c; head -n 1 "d/$x" d/a?b'),
    sh('grep -l one d/a* | od -c'),
    sh('rm -v d/a?b; rm -r d/dir* out other/* copy; find d other | sort'),
  ],
);

/** An archive each side reads of the other. */
const pack = (line: string) => ({ line: sh(line) });
compare('archives with names of any bytes', (tree) => tree.dir('in'), [
  pack(
    'cd in; : >"$(printf "\\351%0120d" 1)"; ln -s "$(printf "to\\200")" "$(printf "l\\200")"; cd ..; tar -cf a.tar in; tar -tvf a.tar | wc -l',
  ),
  pack('mkdir x; tar -xf a.tar -C x; find x | sort'),
]);
