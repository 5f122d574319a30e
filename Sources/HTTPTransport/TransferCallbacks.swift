import CLibCurl
import Glibc

/// Functions of C's calling convention that find their transfer in the pointer they are given.
enum TransferCallbacks {
    private static func transfer(_ context: UnsafeMutableRawPointer) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
    }

    static let body: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let isTaken: Bool = bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) {
            transfer(context).take(body: UnsafeBufferPointer(start: $0, count: size * count))
        }
        return isTaken ? size * count : 0
    }

    static let header: @convention(c) (UnsafeMutablePointer<CChar>?, Int, Int, UnsafeMutableRawPointer?) -> Int = {
        bytes, size, count, context in
        guard let bytes, let context else { return 0 }
        let isTaken: Bool = bytes.withMemoryRebound(to: UInt8.self, capacity: size * count) {
            transfer(context).take(header: UnsafeBufferPointer(start: $0, count: size * count))
        }
        return isTaken ? size * count : 0
    }

    static let openSocket:
        @convention(c) (UnsafeMutableRawPointer?, curlsocktype, UnsafeMutablePointer<curl_sockaddr>?) -> curl_socket_t =
            {
                context, _, address in
                guard let context, let address else { return CURL_SOCKET_BAD }
                let family: Int32 = address.pointee.family
                let kind: Int32 = address.pointee.socktype | Int32(SOCK_CLOEXEC.rawValue)
                let proto: Int32 = address.pointee.protocol
                // An IPv6 address is longer than the field that libcurl declares for it, so it is read from raw memory.
                guard let offset = MemoryLayout<curl_sockaddr>.offset(of: \.addr) else { return CURL_SOCKET_BAD }
                let isAllowed: Bool = transfer(context).allows(UnsafeRawPointer(address) + offset, family: family)
                return isAllowed ? socket(family, kind, proto) : CURL_SOCKET_BAD
            }
}
