"""Names that code has from its surroundings: JavaScript's own, and Appsmith's."""

_JAVASCRIPT = """
AbortController Array ArrayBuffer BigInt Blob Boolean DataView Date Error Event File FileReader
FormData Function Headers Infinity Intl JSON Map Math NaN Number Object Promise Proxy RangeError
ReferenceError Reflect RegExp Request Response Set String Symbol SyntaxError TextDecoder TextEncoder
TypeError URIError URL URLSearchParams Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap
WeakSet WebSocket XMLHttpRequest arguments atob btoa clearInterval clearTimeout console crypto
decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval fetch globalThis isFinite
isNaN location navigator parseFloat parseInt performance self setInterval setTimeout structuredClone
undefined unescape window document
"""
_APPSMITH = """
appsmith clearStore closeModal copyToClipboard download getCurrentLocation navigateTo
postWindowMessage removeValue resetWidget run showAlert showModal stopWatch storeValue watchLocation
"""
_LIBRARIES = "_ moment xmlParser forge fast_xml_parser"
_GIVEN = "currentItem currentRow currentIndex currentView triggeredItem triggeredItemView"
_THIS = "this"

PLATFORM = frozenset(f"{_JAVASCRIPT} {_APPSMITH} {_LIBRARIES} {_GIVEN} {_THIS}".split())
"""Nothing on a page needs to have these names, and nothing may take them."""
