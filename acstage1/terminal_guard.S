/*
 * The source of the bytes in terminal_guard.py, which says what they are for. tests/acstage1/test_machine_code.py compares both.
 *
 *     cc -c -o x.o terminal_guard.S && objcopy -O binary --only-section=.text x.o x && xxd -p x
 *
 * The kernel's struct termios stands twice behind the code, 36 bytes each: as the terminal was made, and as it was before. A buffer
 * lies below the stack pointer: there is no handler of signals that would write there.
 */

#if defined(__x86_64__)
again:  xor     %eax, %eax                      /* read(1, buffer, 1) */
        mov     $1, %edi
        lea     -64(%rsp), %rsi
        mov     $1, %edx
        syscall
        cmp     $-4, %rax                       /* EINTR */
        je      again
        test    %rax, %rax
        jne     end

        mov     $16, %eax                       /* ioctl(0, TCGETS, buffer) */
        xor     %edi, %edi
        mov     $0x5401, %esi
        lea     -64(%rsp), %rdx
        syscall
        test    %eax, %eax
        jne     end

        lea     -64(%rsp), %rsi                 /* memcmp(buffer, made, 36) */
        lea     made(%rip), %rdi
        mov     $36, %ecx
        cld
        repe    cmpsb
        jne     end

        mov     $16, %eax                       /* ioctl(0, TCSETS, before) */
        xor     %edi, %edi
        mov     $0x5402, %esi
        lea     made+36(%rip), %rdx
        syscall

end:    mov     $231, %eax                      /* exit_group(0) */
        xor     %edi, %edi
        syscall
made:

#elif defined(__aarch64__)
again:  mov     x0, #1                          /* read(1, buffer, 1) */
        sub     x1, sp, #64
        mov     x2, #1
        mov     x8, #63
        svc     #0
        cmn     x0, #4                          /* EINTR */
        b.eq    again
        cbnz    x0, end

        mov     x0, #0                          /* ioctl(0, TCGETS, buffer) */
        mov     x1, #0x5401
        sub     x2, sp, #64
        mov     x8, #29
        svc     #0
        cbnz    w0, end

        sub     x1, sp, #64                     /* memcmp(buffer, made, 36) */
        adr     x2, made
        mov     x3, #36
next:   ldrb    w4, [x1], #1
        ldrb    w5, [x2], #1
        cmp     w4, w5
        b.ne    end
        subs    x3, x3, #1
        b.ne    next

        mov     x0, #0                          /* ioctl(0, TCSETS, before) */
        mov     x1, #0x5402
        adr     x2, made + 36
        mov     x8, #29
        svc     #0

end:    mov     x0, #0                          /* exit_group(0) */
        mov     x8, #94
        svc     #0
made:
#endif

        .section .note.GNU-stack, "", %progbits
