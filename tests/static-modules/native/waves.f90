module waves
  use, intrinsic :: iso_c_binding
  implicit none
contains
  function norm(n, values) result(length) bind(c)
    integer(c_int), value :: n
    real(c_double), intent(in) :: values(n)
    real(c_double) :: length
    character(len=32) :: text
    ! Needs what reads and writes of the run-time library.
    write (text, '(f24.12)') sqrt(dot_product(values, values))
    read (text, *) length
  end function
end module
