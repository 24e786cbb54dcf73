import type { CompletedCommand } from './command-tree.ts';
import { shellFunctions } from './shell-functions.ts';

export function zshScript(tree: readonly CompletedCommand[]): string {
  return `#compdef sluice
# zsh completion of sluice. Made by: sluice completion zsh
${shellFunctions(tree)}
_sluice() {
  emulate -L zsh
  local current="\${words[CURRENT]}" place='' at=sluice index=0 after='' word next
  for word in "\${(@)words[2,CURRENT-1]}"; do
    if [[ -n "$after" ]]; then after=''; continue; fi
    if [[ "$word" == -* ]]; then
      [[ -z "$(_sluice_value "$at" "$word")" ]] || after="$word"
    else
      next="$(_sluice_path "$at" "$word")"
      if [[ -n "$next" ]]; then at="$next"; else index=$((index + 1)); fi
    fi
  done
  if [[ -n "$after" ]]; then
    place="$(_sluice_value "$at" "$after")"
  elif [[ "$current" == -* ]]; then
    place="$(_sluice_options "$at")"
  else
    place="$(_sluice_subcommands "$at")"
    [[ -n "$place" ]] || place="$(_sluice_positional "$at" "$index")"
  fi
  case "$place" in
    @any) ;;
    @files) _files ;;
    @names:*) compadd -- "\${(@f)$("\${words[1]}" completion names "\${place#@names:}" "\${(j: :)words[1,CURRENT]}" 2>/dev/null </dev/null)}" ;;
    *) compadd -- \${=place} ;;
  esac
}
if [[ "\${funcstack[1]}" == _sluice ]]; then _sluice "$@"; else compdef _sluice sluice; fi
`;
}
