import Glibc
import Synchronization

/// A socket that listens on 127.0.0.1 only, for servers of benches and tests.
///
/// Only the thread that accepts closes it: the number of a closed socket is given to the next one that the process opens,
/// and whoever still accepted on it would take the connections of another server.
package final class LoopbackListener: Sendable {
    package struct Failure: Error, Sendable {
        package let operation: String
        package let code: Int32
    }

    /// The port it listens on.
    package let port: Int
    /// Nil when it is closed.
    private let socket: Mutex<Int32?>

    /// Starts listening. Connections wait until ``serve(name:_:)``.
    /// - Parameter port: 0 takes a free one.
    package init(port: Int = 0) throws(Failure) {
        let listener: Int32 = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard listener >= 0 else { throw Failure(operation: "socket", code: errno) }
        var on: Int32 = 1
        setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(UInt16(truncatingIfNeeded: port).bigEndian)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        let bound: Int32 = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                bind(listener, generic, size) == 0 && listen(listener, 512) == 0
                    ? getsockname(listener, generic, &size) : -1
            }
        }
        guard bound == 0 else {
            let code: Int32 = errno
            close(listener)
            throw Failure(operation: "listen on port \(port)", code: code)
        }
        self.port = Int(UInt16(bigEndian: address.sin_port))
        socket = Mutex(listener)
    }

    deinit {
        socket.withLock { if let listener = $0 { close(listener) } }
    }

    /// Takes connections on a thread of its own until ``stop()``. Called once.
    /// - Parameter take: runs on that thread, so it is short or starts another; it closes the connection in the end.
    package func serve(name: String, _ take: @escaping @Sendable (_ connection: Int32) -> Void) {
        guard let listener = socket.withLock({ $0 }) else { return }
        OwnThread.launch(name: name) { [self] in
            while let connection = Self.accept(on: listener) { take(connection) }
            socket.withLock { socket in
                close(listener)
                socket = nil
            }
        }
    }

    /// Nil when nobody listens any more.
    private static func accept(on listener: Int32) -> Int32? {
        while true {
            let connection: Int32 = Glibc.accept(listener, nil, nil)
            if connection >= 0 {
                // A program that the process starts would keep the connection open.
                _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
                return connection
            }
            switch errno {
            case EINTR, ECONNABORTED: continue
            // No room for one more at the moment: the connection waits.
            case EMFILE, ENFILE, ENOBUFS, ENOMEM: _ = poll(nil, 0, 10)
            default: return nil
            }
        }
    }

    /// Takes no more connections. Those that are open stay so.
    package func stop() {
        socket.withLock { if let listener = $0 { shutdown(listener, Int32(SHUT_RDWR)) } }
    }
}
