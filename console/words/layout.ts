import { words } from './words.ts';

export const layoutWords = words({
  skip: ['Skip to the content', '跳到正文'],
  navigation: ['Navigation', '导航'],
  openNavigation: ['Open navigation', '打开导航'],
  notices: ['Notices', '通知'],
  language: ['Language', '语言'],
  theme: ['Appearance', '外观'],
  themeSystem: ['As the system', '跟随系统'],
  themeLight: ['Light', '浅色'],
  themeDark: ['Dark', '深色'],
  refreshEvery: ['Refresh', '自动刷新'],
  refreshNever: ['Paused', '已暂停'],
  refreshSeconds: [(seconds: number) => `Every ${seconds} s`, (seconds: number) => `每 ${seconds} 秒`],
  allVirtualHosts: ['All virtual hosts', '所有虚拟主机'],
  settings: ['Preferences', '偏好设置'],
  logOut: ['Log out', '退出登录'],
  loggedInAs: ['Logged in as', '当前用户'],
  gone: ['The broker does not answer. Trying again…', 'Broker 无响应，正在重新连接…'],
  tryNow: ['Try now', '立即重试'],
  isBack: ['The broker is back', 'Broker 已恢复连接'],
  notFoundTitle: ['Page not found', '页面不存在'],
  notFound: ['There is no page at this address.', '该地址没有对应的页面。'],
  toOverview: ['To the overview', '返回概览'],
});

export const loginWords = words({
  title: ['Log in', '登录'],
  lead: ['One broker for the clients of Kafka and RabbitMQ', '兼容 Kafka 与 RabbitMQ 客户端的消息 Broker'],
  username: ['User name', '用户名'],
  password: ['Password', '密码'],
  logIn: ['Log in', '登录'],
  wrong: [
    'User name or password is wrong, or the user may not log in from here.',
    '用户名或密码错误，或该用户不允许从此处登录。',
  ],
  noTag: [
    'This user has no tag that lets it use the console: management, for one.',
    '该用户没有可使用控制台的标签（例如 management）。',
  ],
  ended: ['Your session has ended. Log in to go on where you were.', '会话已过期，请重新登录以继续。'],
  tooMany: ['Too many attempts: wait a little.', '尝试次数过多，请稍后再试。'],
});
