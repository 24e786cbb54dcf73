import { plural, words } from './words.ts';

/** What many pages say. */
export const common = words({
  yes: ['yes', '是'],
  no: ['no', '否'],
  all: ['all', '全部'],
  none: ['none', '无'],
  name: ['Name', '名称'],
  type: ['Type', '类型'],
  state: ['State', '状态'],
  user: ['User', '用户'],
  virtualHost: ['Virtual host', '虚拟主机'],
  arguments: ['Arguments', '参数'],
  messages: ['Messages', '消息'],
  time: ['Time', '时间'],
  details: ['Details', '详情'],
  actions: ['Actions', '操作'],
  value: ['Value', '值'],
  key: ['Key', '键'],
  add: ['Add', '添加'],
  remove: ['Remove', '移除'],
  create: ['Create', '创建'],
  save: ['Save', '保存'],
  edit: ['Edit', '编辑'],
  delete: ['Delete', '删除'],
  close: ['Close', '关闭'],
  cancel: ['Cancel', '取消'],
  confirm: ['Confirm', '确认'],
  copy: ['Copy', '复制'],
  copied: ['Copied', '已复制'],
  download: ['Download', '下载'],
  retry: ['Try again', '重试'],
  reload: ['Load the page anew', '重新加载页面'],
  refresh: ['Refresh', '刷新'],
  back: ['Back', '返回'],
  search: ['Search', '搜索'],
  loading: ['Loading…', '加载中…'],
  loaded: ['Loaded', '加载完成'],
  dismiss: ['Dismiss', '忽略'],
  required: ['required', '必填'],
  showMore: ['Show more', '显示更多'],
});

/** Of tables. */
export const tableWords = words({
  filter: ['Filter by name', '按名称筛选'],
  regex: ['regular expression', '正则表达式'],
  columns: ['Columns', '列'],
  rowsPerPage: ['Rows per page', '每页行数'],
  first: ['First page', '首页'],
  previous: ['Previous page', '上一页'],
  next: ['Next page', '下一页'],
  last: ['Last page', '末页'],
  page: [
    (page: string, pages: string) => `Page ${page} of ${pages}`,
    (page: string, pages: string) => `第 ${page} / ${pages} 页`,
  ],
  total: [
    (count: number, text: string) => `${text} ${plural(count, 'item')}`,
    (_count: number, text: string) => `共 ${text} 项`,
  ],
  filtered: [
    (text: string, total: string) => `${text} of ${total} match`,
    (text: string, total: string) => `匹配 ${text} 项，共 ${total} 项`,
  ],
  selected: [(text: string) => `${text} selected`, (text: string) => `已选 ${text} 项`],
  selectAll: ['Select all on this page', '选择本页全部'],
  selectRow: [(name: string) => `Select ${name}`, (name: string) => `选择 ${name}`],
  nothing: ['There is nothing here', '暂无数据'],
  noMatch: ['Nothing matches the filter', '没有匹配的结果'],
  sortBy: [(column: string) => `Sort by ${column}`, (column: string) => `按${column}排序`],
});

/** Of errors: what the broker says follows. */
export const errorWords = words({
  refused: ['You may not do this', '没有权限'],
  notFound: ['It is not there, or not any more', '对象不存在或已被删除'],
  conflict: ['It has changed meanwhile', '与当前状态冲突'],
  invalid: ['The broker does not take this', '请求无效'],
  unavailable: ['The broker cannot do it now', '服务暂不可用'],
  gone: ['The broker does not answer', 'Broker 无响应'],
  failed: ['It failed', '操作失败'],
  signedOut: ['You are not logged in any more', '登录已失效'],
  pageFailed: ['This page could not be loaded', '页面加载失败'],
  crashed: ['Something went wrong on this page', '页面发生错误'],
  needsTag: [
    (tag: string) => `This page is for users with the tag “${tag}”.`,
    (tag: string) => `此页面需要用户拥有“${tag}”标签。`,
  ],
});

/** Of forms and dialogs. */
export const formWords = words({
  isRequired: ['Fill this in', '此项必填'],
  notNumber: ['A number is needed', '请输入数字'],
  tooSmall: [(min: number) => `${min} at least`, (min: number) => `不能小于 ${min}`],
  tooLarge: [(max: number) => `${max} at most`, (max: number) => `不能大于 ${max}`],
  notJson: ['This is not JSON', '不是有效的 JSON'],
  typeToConfirm: [(name: string) => `Type “${name}” to confirm`, (name: string) => `输入“${name}”以确认`],
  text: ['Text', '文本'],
  number: ['Number', '数字'],
  boolean: ['Boolean', '布尔值'],
  list: ['List', '列表'],
});

/** Of what shows messages and code. */
export const viewerWords = words({
  text: ['Text', '文本'],
  json: ['JSON', 'JSON'],
  hex: ['Hex', '十六进制'],
  empty: ['empty', '空'],
  whole: [(size: string) => `Show all (${size})`, (size: string) => `显示全部（${size}）`],
  cut: [
    (shown: string, whole: string) => `The first ${shown} of ${whole} are shown`,
    (shown: string, whole: string) => `仅显示前 ${shown}，共 ${whole}`,
  ],
});
