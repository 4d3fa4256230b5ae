!> The wave equation for a string, by central differences.
module string_motion
  use, intrinsic :: iso_c_binding, only: c_double, c_int
  use boundaries, only: hold_ends
  implicit none
  private
  public :: advance_string

contains

  !> Advances by `steps` steps. `courant` is the speed of waves in cells a step: at most 1.
  subroutine advance_string(count, now, before, courant, steps) bind(c)
    integer(c_int), value, intent(in) :: count, steps
    real(c_double), intent(inout) :: now(count), before(count)
    real(c_double), value, intent(in) :: courant
    real(c_double) :: next(count)
    integer :: step

    do step = 1, steps
      next(2:count - 1) = 2 * now(2:count - 1) - before(2:count - 1) &
        + courant**2 * (now(3:count) - 2 * now(2:count - 1) + now(1:count - 2))
      call hold_ends(next)
      before = now
      now = next
    end do
  end subroutine advance_string

end module string_motion
