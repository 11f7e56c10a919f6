package import CCarillonProto
internal import CProtobuf
package import CarillonCore

/// Swift values as parts of protobuf-c's structs.
extension Arena {
    package typealias List<T> = (count: Int, pointers: UnsafeMutablePointer<UnsafeMutablePointer<T>?>?)

    /// A NUL-terminated copy. A NUL in the text becomes U+FFFD, because it would cut the text.
    package func string(_ text: String) -> UnsafeMutablePointer<CChar> {
        var text = text
        let copy: UnsafeMutablePointer<CChar>? = text.withUTF8 { utf8 in
            guard let base = utf8.baseAddress else { return nil }
            guard !TextScan.containsNUL(base, utf8.count) else { return nil }
            let memory = allocate(CChar.self, count: utf8.count + 1)
            UnsafeMutableRawPointer(memory).copyMemory(from: base, byteCount: utf8.count)
            memory[utf8.count] = 0
            return memory
        }
        return copy ?? stringWithoutNUL(text)
    }

    @inline(never)
    private func stringWithoutNUL(_ text: String) -> UnsafeMutablePointer<CChar> {
        var bytes: [UInt8] = []
        for byte in text.utf8 {
            if byte == 0 { bytes += [0xEF, 0xBF, 0xBD] } else { bytes.append(byte) }
        }
        let memory = allocate(CChar.self, count: bytes.count + 1)
        for (index, byte) in bytes.enumerated() { memory[index] = CChar(bitPattern: byte) }
        memory[bytes.count] = 0
        return memory
    }

    func string(_ text: String?) -> UnsafeMutablePointer<CChar>? {
        guard let text else { return nil }
        return string(text) as UnsafeMutablePointer<CChar>
    }

    package func id(_ id: UniqueID) -> ProtobufCBinaryData {
        let memory = allocate(UInt64.self, count: 2)
        memory[0] = id.high.bigEndian
        memory[1] = id.low.bigEndian
        return ProtobufCBinaryData(
            len: 16,
            data: UnsafeMutableRawPointer(memory).assumingMemoryBound(to: UInt8.self)
        )
    }

    /// One struct, initialized by protobuf-c.
    func one<T>(_ initialize: (UnsafeMutablePointer<T>?) -> Void) -> UnsafeMutablePointer<T> {
        let memory = allocate(T.self, count: 1)
        initialize(memory)
        return memory
    }

    /// A repeated message: adjacent structs, and an array of pointers to them.
    func list<Element, T>(
        _ elements: [Element],
        _ initialize: (UnsafeMutablePointer<T>?) -> Void,
        _ fill: (Element, UnsafeMutablePointer<T>) -> Void
    ) -> List<T> {
        guard !elements.isEmpty else { return (0, nil) }
        let structs = allocate(T.self, count: elements.count)
        let pointers = allocate(UnsafeMutablePointer<T>?.self, count: elements.count)
        for (index, element) in elements.enumerated() {
            initialize(structs + index)
            fill(element, structs + index)
            pointers[index] = structs + index
        }
        return (elements.count, pointers)
    }

    package func strings(_ texts: [String]) -> List<CChar> {
        guard !texts.isEmpty else { return (0, nil) }
        let pointers = allocate(UnsafeMutablePointer<CChar>?.self, count: texts.count)
        for (index, text) in texts.enumerated() { pointers[index] = string(text) }
        return (texts.count, pointers)
    }

    func numbers<Element, Number>(
        _ elements: [Element],
        _ number: (Element) -> Number
    ) -> (count: Int, numbers: UnsafeMutablePointer<Number>?) {
        guard !elements.isEmpty else { return (0, nil) }
        let memory = allocate(Number.self, count: elements.count)
        for (index, element) in elements.enumerated() { memory[index] = number(element) }
        return (elements.count, memory)
    }

    package func headers(_ headers: [HTTPHeader]) -> List<Carillon__V1__Header> {
        list(headers, carillon__v1__header__init) { header, wire in
            wire.pointee.name = string(header.name)
            wire.pointee.value = string(header.value)
        }
    }

    /// A text of any length and with any characters, as bytes.
    func text(_ text: String) -> ProtobufCBinaryData {
        var text = text
        return text.withUTF8 { utf8 in
            let memory = allocate(UInt8.self, count: max(1, utf8.count))
            if let base = utf8.baseAddress { memory.update(from: base, count: utf8.count) }
            return ProtobufCBinaryData(len: utf8.count, data: memory)
        }
    }

    func code(_ code: AuthenticationCode) -> ProtobufCBinaryData { id(UniqueID(high: code.high, low: code.low)) }

    /// - Parameter code: omitted when it is zero.
    func token(_ token: DispatchToken, _ code: AuthenticationCode = .zero) -> UnsafeMutablePointer<Carillon__V1__Token>
    {
        let wire = one(carillon__v1__token__init)
        fill(token, wire)
        if code != .zero {
            wire.pointee.has_mac = 1
            wire.pointee.mac = self.code(code)
        }
        return wire
    }

    func tokens(_ tokens: [DispatchToken]) -> List<Carillon__V1__Token> {
        list(tokens, carillon__v1__token__init, fill)
    }

    private func fill(_ token: DispatchToken, _ wire: UnsafeMutablePointer<Carillon__V1__Token>) {
        wire.pointee.epoch = token.epoch
        wire.pointee.sequence = token.sequence
        wire.pointee.incarnation = token.incarnation
    }
}
