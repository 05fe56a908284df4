// What simple-peer imports of webrtc-polyfill, absent: it then reports that WebRTC is not supported.

export const RTCPeerConnection = undefined;
export const RTCSessionDescription = undefined;
export const RTCIceCandidate = undefined;
