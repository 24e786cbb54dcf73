import { render } from 'preact';
import { App } from './app.tsx';
import { followLinks } from './location.ts';
import './theme.ts';

followLinks();
const root = document.getElementById('root');
if (root !== null) render(<App />, root);
