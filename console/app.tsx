import { useEffect } from 'preact/hooks';
import { returns } from './api/connectivity.ts';
import { resume } from './api/login.ts';
import { session } from './api/session.ts';
import { Dialogs } from './kit/dialog.tsx';
import { Loading } from './kit/problem.tsx';
import { Toasts } from './kit/toast.tsx';
import { ConnectionBanner, Layout } from './layout/layout.tsx';
import { Login } from './layout/login.tsx';

export function App() {
  const back = returns.value;
  // A broker that was started anew may know no session any more.
  useEffect(() => {
    void resume();
  }, [back]);
  return (
    <>
      <ConnectionBanner />
      <Shown />
      <Dialogs />
      <Toasts />
    </>
  );
}

function Shown() {
  const { value } = session;
  if (value === undefined) return <Loading />;
  return value === null ? <Login /> : <Layout />;
}
