import type { CompletedCommand } from './command-tree.ts';
import { shellFunctions } from './shell-functions.ts';

/** For bash 3.2 and later: that is what macOS has. */
export function bashScript(tree: readonly CompletedCommand[]): string {
  return `# bash completion of sluice. Made by: sluice completion bash
${shellFunctions(tree)}
_sluice() {
  local line="\${COMP_LINE:0:COMP_POINT}" current place='' path=sluice index=0 after='' word next IFS=$' \\t\\n'
  local words=()
  # By spaces alone: bash would split http://localhost into three.
  read -r -a words <<< "$line"
  case "$line" in *[[:space:]]) words+=('') ;; esac
  current="\${words[\${#words[@]}-1]}"
  for word in "\${words[@]:1:\${#words[@]}-2}"; do
    if [ -n "$after" ]; then after=''; continue; fi
    case "$word" in
      -*) [ -z "$(_sluice_value "$path" "$word")" ] || after="$word" ;;
      *)
        next="$(_sluice_path "$path" "$word")"
        if [ -n "$next" ]; then path="$next"; else index=$((index + 1)); fi
        ;;
    esac
  done
  COMPREPLY=()
  if [ -n "$after" ]; then
    place="$(_sluice_value "$path" "$after")"
  else
    case "$current" in
      -*) place="$(_sluice_options "$path")" ;;
      *)
        place="$(_sluice_subcommands "$path")"
        [ -n "$place" ] || place="$(_sluice_positional "$path" "$index")"
        ;;
    esac
  fi
  IFS=$'\\n'
  case "$place" in
    @any) ;;
    @files)
      compopt -o filenames 2>/dev/null
      COMPREPLY=($(compgen -f -- "$current"))
      ;;
    @names:*)
      for word in $("\${words[0]}" completion names "\${place#@names:}" "$line" 2>/dev/null </dev/null); do
        case "$word" in "$current"*) COMPREPLY+=("$(printf %q "$word")") ;; esac
      done
      ;;
    *)
      IFS=$' \\t\\n'
      COMPREPLY=($(compgen -W "$place" -- "$current"))
      ;;
  esac
  # What bash takes for the beginning of the word is not to be said again.
  case "$current" in
    *[:=]*)
      word="\${current%"\${current##*[:=]}"}"
      for index in "\${!COMPREPLY[@]}"; do COMPREPLY[index]="\${COMPREPLY[index]#"$word"}"; done
      ;;
  esac
}
complete -F _sluice sluice
`;
}
