// KRPC datagrams as literal text (latin1: one character is one byte), for the tests of this folder.

export const NODE_ID = 'abcdefghij0123456789';
export const TARGET = 'mnopqrstuvwxyz123456';

export function bytesOf(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

function query(method: string, args: string): string {
  return `d1:ad2:id20:${NODE_ID}${args}e1:q${method.length}:${method}1:t2:aa1:y1:qe`;
}

function response(results: string): string {
  return `d1:rd2:id20:${TARGET}${results}e1:t2:aa1:y1:re`;
}

const nested = (depth: number): string => 'l'.repeat(depth) + 'e'.repeat(depth);
const impostor = 'd9:__proto__1:xe';

/** One of every kind that has to pass. */
export const GOOD: Readonly<Record<string, string>> = {
  ping: query('ping', ''),
  'ping with version and read-only flag (BEP 43)': `d1:ad2:id20:${NODE_ID}e1:q4:ping2:roi1e1:t4:abcd1:v4:LT121:y1:qe`,
  'ping of a client without sorted keys': `d1:t2:aa1:y1:q1:q4:ping1:ad2:id20:${NODE_ID}ee`,
  find_node: query('find_node', `6:target20:${TARGET}`),
  'find_node with want (BEP 32)': query('find_node', `6:target20:${TARGET}4:wantl2:n42:n6e`),
  get_peers: query('get_peers', `9:info_hash20:${TARGET}`),
  'get_peers with scrape and noseed (BEP 33)': query(
    'get_peers',
    `9:info_hash20:${TARGET}6:noseedi1e6:scrapei1e`,
  ),
  announce_peer: query('announce_peer', `9:info_hash20:${TARGET}4:porti6881e5:token8:aoeusnth`),
  'announce_peer from the port of the packet': query(
    'announce_peer',
    `12:implied_porti1e9:info_hash20:${TARGET}4:porti0e5:token8:aoeusnth`,
  ),
  'answer to a ping': response(''),
  'answer with the address seen (BEP 42)': `d2:ip6:\x7c\xa8\xb4\x08\xf5\x7c1:rd2:id20:${TARGET}e1:t2:aa1:y1:re`,
  'answer with nodes': response(
    `5:nodes52:${NODE_ID}\x7f\0\0\x01\x1a\xe1${TARGET}\x0a\x4d\0\x02\x1a\xe15:token4:abcd`,
  ),
  'answer with no nodes': response('5:nodes0:'),
  'answer with peers': response('5:token8:aoeusnth6:valuesl6:axje.u6:idhtnme'),
  'answer with IPv6 nodes (BEP 32)': response(`6:nodes638:${NODE_ID}\x20\x01${'\0'.repeat(14)}\x1a\xe1`),
  error: 'd1:eli201e23:A Generic Error Ocurrede1:t2:aa1:y1:ee',
};

/** Single datagrams that make the package throw where nobody catches, whatever its state. */
export const KILLERS: Readonly<Record<string, string>> = {
  'get_peers of an integer': query('get_peers', '9:info_hashi5e'),
  'get_peers of a list': query('get_peers', '9:info_hashle'),
  'get_peers of a dictionary': query('get_peers', '9:info_hashde'),
  'get_peers of a good hash and then an integer': query('get_peers', `9:info_hash20:${TARGET}9:info_hashi5e`),
  'find_node of an integer': query('find_node', '6:targeti5e'),
  'find_node of a list': query('find_node', '6:targetle'),
  'announce_peer with an integer for a token': query(
    'announce_peer',
    `9:info_hash20:${TARGET}4:porti6881e5:tokeni1e`,
  ),
  'get of an integer (BEP 44)': query('get', '6:targeti5e'),
  'put with an integer for a token (BEP 44)': query('put', '5:tokeni1e1:v1:x'),
  'a type that cannot be text': 'd1:yd8:toString1:xee',
  'a method that cannot be text': `d1:ad2:id20:${NODE_ID}e1:qd8:toString1:xe1:t2:aa1:y1:qe`,
  'an id that passes for a Buffer': `d1:ad2:id${impostor}e1:q4:ping1:t2:aa1:y1:qe`,
  'a transaction that passes for a Buffer': `d1:ad2:id20:${NODE_ID}e1:q4:ping1:t${impostor}1:y1:qe`,
  'an unasked answer with such an id': `d1:rd2:id${impostor}e1:t2:aa1:y1:re`,
};

/** Answers to a query of ours that make the package throw; `aa` stands for the transaction id. */
export const KILLER_ANSWERS: Readonly<Record<string, string>> = {
  'an id that is an integer': 'd1:rd2:idi5ee1:t2:aa1:y1:re',
  'an id that is a list': 'd1:rd2:idlee1:t2:aa1:y1:re',
  'an error that cannot be text': 'd1:eli201ed8:toString1:xee1:t2:aa1:y1:ee',
};

/** What else does harm: hangs, floods, eats memory, prints, or plants nonsense. */
export const HARMFUL: Readonly<Record<string, string>> = {
  'a string of negative length, read again for ever': 'l-3:',
  'the same in a dictionary': 'd1:al-3:ee',
  'nesting that overflows the stack when it is sent back': `d1:ad2:id20:${NODE_ID}e1:q4:ping1:t${nested(3000)}1:y1:qe`,
  'a token that overflows it': response(`5:token${nested(3000)}`),
  'a token that passes for a Buffer': response(`5:token${impostor}`),
  'a token of 1000 bytes, to be sent back': response(`5:token1000:${'x'.repeat(1000)}`),
  'a transaction of 1000 bytes, to be sent back': `d1:ad2:id20:${NODE_ID}e1:q4:ping1:t1000:${'x'.repeat(1000)}1:y1:qe`,
  'an integer that is printed as a warning when it is sent back': `d1:ad2:id20:${NODE_ID}e1:q4:ping1:ti99999999999999999999e1:y1:qe`,
  'an empty transaction': `d1:ad2:id20:${NODE_ID}e1:q4:ping1:t0:1:y1:qe`,
  'an announce under a long name, to fill memory': query(
    'announce_peer',
    `9:info_hash900:${'x'.repeat(900)}4:porti6881e5:token2:xx`,
  ),
  'a prototype in the message': `d9:__proto__d1:y1:qe1:ad2:id20:${NODE_ID}e1:q4:ping1:t2:aa1:y1:qe`,
  'a prototype in the arguments': query('ping', '9:__proto__d4:porti1ee'),
  'a prototype in the answer': `d1:rd9:__proto__1:x2:id20:${TARGET}e1:t2:aa1:y1:re`,
  'an id of 19 bytes': 'd1:ad2:id19:abcdefghij012345678e1:q4:ping1:t2:aa1:y1:qe',
  'no id': 'd1:ade1:q4:ping1:t2:aa1:y1:qe',
  'no arguments': 'd1:q4:ping1:t2:aa1:y1:qe',
  'arguments that are a list': 'd1:ale1:q4:ping1:t2:aa1:y1:qe',
  'a target of 21 bytes': query('find_node', `6:target21:${TARGET}x`),
  'an announce of port 0': query('announce_peer', `9:info_hash20:${TARGET}4:porti0e5:token2:xx`),
  'an announce of port 65536': query('announce_peer', `9:info_hash20:${TARGET}4:porti65536e5:token2:xx`),
  'an announce of a negative port': query('announce_peer', `9:info_hash20:${TARGET}4:porti-1e5:token2:xx`),
  'an announce without a port': query('announce_peer', `9:info_hash20:${TARGET}5:token2:xx`),
  'an announce with an implied port of a wrong type': query(
    'announce_peer',
    `12:implied_portle9:info_hash20:${TARGET}4:porti6881e5:token2:xx`,
  ),
  'an announce without a token': query('announce_peer', `9:info_hash20:${TARGET}4:porti6881e`),
  'a query nobody knows': query('vote', `6:target20:${TARGET}`),
  'a get of BEP 44': query('get', `6:target20:${TARGET}`),
  'a put of BEP 44': query('put', '5:token2:xx1:v1:x'),
  'nodes of 27 bytes': response(`5:nodes27:${NODE_ID}\x7f\0\0\x01\x1a\xe1x`),
  'nodes that are a list': response('5:nodesl26:aaaaaaaaaaaaaaaaaaaaaaaaaae'),
  'peers of 18 bytes among those of 6': response(`6:valuesl18:${'x'.repeat(18)}6:axje.ue`),
  'peers that are a string': response('6:values6:axje.u'),
  'peers that are integers': response('6:valuesli1ee'),
  'an answer without id': 'd1:rd6:valuesl6:axje.uee1:t2:aa1:y1:re',
  'an answer to a transaction that cannot be ours': `d1:rd2:id20:${TARGET}e1:t4:aaaa1:y1:re`,
  'an error that is text': 'd1:e5:wrong1:t2:aa1:y1:ee',
  'an error with the text first': 'd1:el5:wrongi201ee1:t2:aa1:y1:ee',
  'an error of three': 'd1:eli201e5:wrong5:wronge1:t2:aa1:y1:ee',
  'bytes after the end': `${query('ping', '')}x`,
  'half of a message': query('ping', '').slice(0, 30),
  'a list': 'le',
  'an integer': 'i5e',
  'an empty dictionary': 'de',
  'no bytes': '',
  'a uTP packet': '\x41\0\x12\x34\0\0\0\0\0\0\0\0\0\x10\0\0\0\x01\0\0',
  text: 'hello',
};
