!> How the ends of a string are held.
module boundaries
  use, intrinsic :: iso_c_binding, only: c_double
  implicit none
  private
  public :: hold_ends

contains

  !> Both ends stay where they are.
  pure subroutine hold_ends(heights)
    real(c_double), intent(inout) :: heights(:)
    heights(1) = 0
    heights(size(heights)) = 0
  end subroutine hold_ends

end module boundaries
