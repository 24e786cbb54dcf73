import { useState } from 'preact/hooks';
import { store, stored } from '../preferences.ts';
import type { Column } from './table.tsx';

/** Which columns of a table are shown, as the user chose it on this machine. */
export function useShownColumns<Row>(name: string, columns: readonly Column<Row>[]) {
  const key = `columns.${name}`;
  const [chosen, setChosen] = useState(() => stored(key, (text) => text.split(',')));
  const shown = columns.filter(({ id, hidden = false }) => (chosen === undefined ? !hidden : chosen.includes(id)));
  return {
    // What was chosen before the columns became others may leave none.
    shown: shown.length > 0 ? shown : columns.filter(({ hidden = false }) => !hidden),
    choose(ids: readonly string[]) {
      store(key, ids.join(','));
      setChosen([...ids]);
    },
  };
}
